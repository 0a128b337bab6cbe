// Package logs knows the JSON of the workspace's data: SecurityAlert rows with
// their version-3 entities, both ways; SecurityIncident history rows; the
// answer of the Log Analytics query API. It leaves the queries, the tables and
// status codes to others. Source: facts 3.6, 3.7, 10.2, 10.3.
package logs
