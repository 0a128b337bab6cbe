package main

import (
	"net/url"
	"sort"

	"lockstep/content"
)

// sarif is the part of SARIF 2.1.0 that code hosts read.
type sarif struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool       sarifTool     `json:"tool"`
	ColumnKind string        `json:"columnKind"`
	Results    []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Rules   []sarifRule `json:"rules"`
	} `json:"driver"`
}

type sarifRule struct {
	ID string `json:"id"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID    string          `json:"ruleId"`
	Level     string          `json:"level"`
	Message   sarifText       `json:"message"`
	Locations []sarifLocation `json:"locations"`
}

type sarifLocation struct {
	Physical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region sarifRegion `json:"region"`
	} `json:"physicalLocation"`
}

type sarifRegion struct {
	StartLine   int       `json:"startLine"`
	StartColumn int       `json:"startColumn"`
	EndLine     int       `json:"endLine"`
	EndColumn   int       `json:"endColumn"`
	Snippet     sarifText `json:"snippet"`
}

// sarifOf writes findings as one run of the program.
func sarifOf(findings []content.Finding) sarif {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver.Name, run.Tool.Driver.Version = "lockstep", version
	run.Tool.Driver.Rules = []sarifRule{}
	seen := map[string]bool{}
	for _, f := range findings {
		if !seen[f.Code] {
			seen[f.Code] = true
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{f.Code})
		}
		r := sarifResult{RuleID: f.Code, Level: string(f.Severity), Message: sarifText{f.Message}, Locations: make([]sarifLocation, 1)}
		place := &r.Locations[0].Physical
		place.Artifact.URI = (&url.URL{Path: f.File}).EscapedPath()
		place.Region = sarifRegion{f.Line, f.Column, f.EndLine, f.EndColumn, sarifText{f.Source}}
		run.Results = append(run.Results, r)
	}
	rules := run.Tool.Driver.Rules
	sort.Slice(rules, func(i, j int) bool { return rules[i].ID < rules[j].ID })
	return sarif{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}}
}
