SELECT * EXCLUDE (_row, MachineGroup, _Extra)
FROM DeviceProcessEvents
WHERE _row IN (
    SELECT _row
    FROM DeviceProcessEvents
    WHERE CASE WHEN contains(lower(ProcessCommandLine), 'mimikatz')
               THEN regexp_matches(lower(ProcessCommandLine), '(?:^|[^\pL\pN])mimikatz(?:[^\pL\pN]|$)')
               ELSE false END
    ORDER BY Timestamp DESC
    LIMIT 100)
ORDER BY Timestamp DESC
