-- Exact, as ours is.
SELECT DeviceName, count(DISTINCT SHA256) FROM DeviceProcessEvents GROUP BY DeviceName
