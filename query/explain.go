package query

import (
	"context"
	"fmt"

	"lockstep/fault"
	"lockstep/kql"
	"lockstep/tables"
)

// Explainer is a program that can show how it was made.
type Explainer interface {
	Tree() *kql.Tree
	Steps() []kql.Stage
}

// Steps are the program's stages.
func (c compiled) Steps() []kql.Stage { return c.Program.Stages }

// explanation tells of a program whose rows were read.
func (s *Service) explanation(ctx context.Context, snapshot tables.Snapshot, program Program, ran statement) (*Explanation, error) {
	explainer, ok := program.(Explainer)
	if !ok {
		return nil, fault.New(fault.Invalid, "such a query can't be explained")
	}
	e := &Explanation{Plan: explainer.Tree()}
	for _, step := range explainer.Steps() {
		if step.Go != "" {
			e.Stages = append(e.Stages, ExplainedStage{Go: step.Go, Reads: step.Reads})
			continue
		}
		e.Stages = append(e.Stages, ExplainedStage{SQL: ran.sql, Args: ran.args})
	}
	var err error
	if e.Scanned, err = snapshot.Explain(ctx, ran.sql, ran.args); err != nil {
		return nil, fmt.Errorf("explain the statement: %w", err)
	}
	return e, nil
}
