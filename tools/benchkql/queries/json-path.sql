SELECT coalesce(RawEventData->>'$.Session.Kind', ''), count(*)
FROM CloudAppEvents
WHERE (RawEventData->>'$.Workload') = 'Exchange'
GROUP BY 1
