-- Count by device and hour, lay the counts on the axis of 336 hours, 0 where there is none.
WITH counts AS (
    SELECT DeviceName, (Timestamp - 639295200000000000) // 36000000000 AS hour, count(*) AS n
    FROM DeviceProcessEvents
    WHERE Timestamp >= 639295200000000000 AND Timestamp < 639307296000000000
    GROUP BY ALL),
axis AS (SELECT range AS hour FROM range(336))
SELECT DeviceName,
       '[' || string_agg(coalesce(n, 0), ',' ORDER BY hour) || ']',
       (SELECT '[' || string_agg('"' || strftime(make_timestamp((639295200000000000 + hour * 36000000000) // 10 - 62135596800000000), '%Y-%m-%dT%H:%M:%S.0000000Z') || '"', ',' ORDER BY hour) || ']' FROM axis)
FROM (SELECT DISTINCT DeviceName FROM counts) CROSS JOIN axis LEFT JOIN counts USING (DeviceName, hour)
GROUP BY DeviceName
