-- The row's number for each device first, its other columns for those rows alone.
SELECT t.DeviceName, t.Timestamp, t.* EXCLUDE (_row, DeviceName, Timestamp, MachineGroup, _Extra)
FROM DeviceProcessEvents t
JOIN (SELECT arg_max(_row, Timestamp) AS best FROM DeviceProcessEvents GROUP BY DeviceName) ON t._row = best
