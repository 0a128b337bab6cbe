package logs

import (
	"testing"

	"lockstep/wire/shape/shapetest"
)

func TestEveryKindOfEntity(t *testing.T) { shapetest.Check(t, version3) }
