-- One process event a device, any: then all failed logons of that device.
SELECT DeviceName, LogonType, count(*)
FROM (SELECT DeviceId, any_value(DeviceName) AS DeviceName FROM DeviceProcessEvents GROUP BY DeviceId)
JOIN (SELECT DeviceId, LogonType FROM DeviceLogonEvents WHERE ActionType = 'LogonFailed') USING (DeviceId)
GROUP BY DeviceName, LogonType
