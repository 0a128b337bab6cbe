package replay

import (
	"encoding/json"
	"fmt"
	"os"

	"lockstep/fault"
	"lockstep/schema"
)

// state is what a replay must remember to go on after it was broken off: where
// it was, and all that decides how records are moved and cut, so that a batch
// whose answer was lost is sent again as the same batch.
type state struct {
	Format     int          `json:"format"` // 1
	Source     string       `json:"source"`
	Workspace  string       `json:"workspace"`
	AsRecorded bool         `json:"asRecorded"`
	End        schema.Ticks `json:"end"` // to where the recording's end was moved
	Size       size         `json:"size"`
	Position   int64        `json:"position"` // records before it are acknowledged
	Progress   Progress     `json:"progress"`
}

// loadState reads a state file; nil if there is none. One of another source, or
// that can't be read, is an error: going on from it would lose records.
func loadState(path, source string) (*state, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	var s state
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil {
		return nil, fmt.Errorf("read the state of the replay: %w (delete %s to begin again)", err, path)
	}
	if s.Format != 1 || s.Source != source {
		return nil, fault.New(fault.Conflict, "the state in %s is of another recording (%s, not %s); delete it to begin again", path, s.Source, source)
	}
	return &s, nil
}

// save writes the state in one step.
func (s *state) save(path string) error {
	if path == "" {
		return nil
	}
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return fmt.Errorf("keep the state of the replay: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("keep the state of the replay: %w", err)
	}
	return nil
}
