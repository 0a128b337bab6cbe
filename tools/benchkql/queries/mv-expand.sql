-- Events without objects stay, as one row without a value.
SELECT coalesce(o->>'$.Type', ''), count(*)
FROM (SELECT unnest(coalesce(json_extract(ActivityObjects, '$[*]'), [NULL])) AS o FROM CloudAppEvents)
GROUP BY 1
