-- A term is a run of letters and digits: what contains finds is looked at again.
SELECT count(*)
FROM DeviceProcessEvents
WHERE CASE WHEN contains(lower(ProcessCommandLine), 'mimikatz')
           THEN regexp_matches(lower(ProcessCommandLine), '(?:^|[^\pL\pN])mimikatz(?:[^\pL\pN]|$)')
           ELSE false END
