-- Events without objects stay, as one row without a value. Of each object the one key is read, as the list is.
SELECT coalesce(o.Type, ''), count(*)
FROM (SELECT unnest(coalesce(from_json(ActivityObjects, '[{"Type":"VARCHAR"}]'), [NULL])) AS o FROM CloudAppEvents)
GROUP BY 1
