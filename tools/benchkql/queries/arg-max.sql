-- The row's number for each device first, its other columns for those rows alone.
SELECT t.DeviceName, t.Timestamp, t.FileName, t.ProcessCommandLine, t.AccountName
FROM DeviceProcessEvents t
JOIN (SELECT arg_max(_row, Timestamp) AS best FROM DeviceProcessEvents GROUP BY DeviceName) ON t._row = best
