-- The newest rows by their number first, then all columns of those alone.
SELECT * EXCLUDE (_row, MachineGroup, _Extra)
FROM DeviceProcessEvents
WHERE _row IN (SELECT _row FROM DeviceProcessEvents ORDER BY Timestamp DESC LIMIT 100)
ORDER BY Timestamp DESC
