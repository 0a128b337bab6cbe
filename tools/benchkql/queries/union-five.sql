WITH five AS (
    SELECT DeviceName, ActionType, InitiatingProcessFileName FROM DeviceEvents
    UNION ALL SELECT DeviceName, ActionType, InitiatingProcessFileName FROM DeviceFileEvents
    UNION ALL SELECT DeviceName, ActionType, InitiatingProcessFileName FROM DeviceLogonEvents
    UNION ALL SELECT DeviceName, ActionType, InitiatingProcessFileName FROM DeviceNetworkEvents
    UNION ALL SELECT DeviceName, ActionType, InitiatingProcessFileName FROM DeviceRegistryEvents)
SELECT ActionType, count(*), count(DISTINCT DeviceName)
FROM five
WHERE lower(InitiatingProcessFileName) = 'powershell.exe'
GROUP BY ActionType
