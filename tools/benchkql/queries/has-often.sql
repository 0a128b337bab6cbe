-- Every row has it, so that the term rule costs most.
SELECT count(*)
FROM DeviceProcessEvents
WHERE CASE WHEN contains(lower(ProcessCommandLine), 'netsvcs')
           THEN regexp_matches(lower(ProcessCommandLine), '(?:^|[^\pL\pN])netsvcs(?:[^\pL\pN]|$)')
           ELSE false END
