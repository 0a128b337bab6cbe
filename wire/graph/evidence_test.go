package graph

import (
	"testing"

	"lockstep/wire/shape/shapetest"
)

func TestEveryKindOfEvidence(t *testing.T) { shapetest.Check(t, dialect) }
