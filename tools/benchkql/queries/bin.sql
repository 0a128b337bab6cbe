SELECT Timestamp // 36000000000 * 36000000000, count(*) FROM DeviceProcessEvents GROUP BY 1
