package workspace

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"lockstep/fault"
	"lockstep/security"
	"lockstep/state"
)

// AddComment adds a comment under an id ("" for a new one). The same text
// under the same id is a repeat and changes nothing; another text is a
// Conflict, since comments are added, never changed. Invalid for an empty or
// overlong text and for the 101st comment.
func (s *Service) AddComment(ctx context.Context, ws, incident, id, text string, by security.Actor) (security.Comment, error) {
	if err := checkComment(text); err != nil {
		return security.Comment{}, fmt.Errorf("comment on incident %s: %w", incident, err)
	}
	if id == "" {
		id = s.o.NewID()
	}
	if !incidentName.MatchString(id) {
		return security.Comment{}, fault.At("comment", "%q is no id of a comment; want a GUID", id)
	}
	var c security.Comment
	err := s.update(ctx, ws, incident, by, func(e *edit) error {
		if err := e.mustExist(incident); err != nil {
			return err
		}
		if key, there := e.findComment(id); there {
			c, _ = comments.Get(e.tx, key)
			if c.Text != text {
				return fault.New(fault.Conflict, "there is a comment %s with another text; comments aren't edited, add another one", id)
			}
			return nil
		}
		if e.incident().CommentCount >= MaxComments {
			return fault.At("comments", "the incident has %d; %d at most", e.incident().CommentCount, MaxComments)
		}
		c = security.Comment{ID: id, Author: by, Text: text, Created: e.now}
		e.comment(c)
		return nil
	}, nil)
	if err != nil {
		return security.Comment{}, fmt.Errorf("comment on incident %s: %w", incident, err)
	}
	return c, nil
}

// Comments lists an incident's comments, oldest first.
func (s *Service) Comments(ctx context.Context, ws, incident string) ([]security.Comment, error) {
	var all []security.Comment
	err := s.read(ctx, ws, incident, func(tx state.Tx, w Workspace, r record) {
		all = commentsOf(tx, w.ID, r.Incident.Name)
	})
	return all, err
}

func commentsOf(tx state.Tx, ws, name string) []security.Comment {
	return slices.Collect(values(comments.Scan(tx, linesOf(ws, name))))
}

// Comment gives one comment. NotFound if there is none.
func (s *Service) Comment(ctx context.Context, ws, incident, id string) (security.Comment, error) {
	all, err := s.Comments(ctx, ws, incident)
	if err != nil {
		return security.Comment{}, err
	}
	for _, c := range all {
		if strings.EqualFold(c.ID, id) {
			return c, nil
		}
	}
	return security.Comment{}, fault.New(fault.NotFound, "incident %s has no comment %q", incident, id)
}

// DeleteComment removes a comment from the workspace alone: deletions don't
// travel (facts 3.2). NotFound if there is none.
func (s *Service) DeleteComment(ctx context.Context, ws, incident, id string, by security.Actor) error {
	err := s.update(ctx, ws, incident, by, func(e *edit) error {
		if err := e.mustExist(incident); err != nil {
			return err
		}
		key, there := e.findComment(id)
		if !there {
			return fault.New(fault.NotFound, "it has no comment %q", id)
		}
		comments.Delete(e.tx, key)
		e.incident().CommentCount--
		e.say(by, "commentDeleted", id, "", "Comment deleted.")
		return nil
	}, nil)
	if err != nil {
		return fmt.Errorf("delete comment of incident %s: %w", incident, err)
	}
	return nil
}
