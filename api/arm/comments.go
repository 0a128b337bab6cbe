package arm

import (
	"net/http"

	"lockstep/fault"
	wire "lockstep/wire/arm"
)

func (f *face) listComments(c *call) error {
	list, err := f.Workspaces.Comments(c.Context(), c.workspace.ID, c.params["incident"])
	if err != nil {
		return err
	}
	all := []wire.Comment{}
	for _, one := range list {
		all = append(all, wire.EncodeComment(c.scope(), c.params["incident"], one))
	}
	out, err := paged(f, c, all)
	if err != nil {
		return err
	}
	return c.write(http.StatusOK, out)
}

func (f *face) getComment(c *call) error {
	one, err := f.Workspaces.Comment(c.Context(), c.workspace.ID, c.params["incident"], c.params["comment"])
	if err != nil {
		return err
	}
	return c.write(http.StatusOK, wire.EncodeComment(c.scope(), c.params["incident"], one))
}

func (f *face) putComment(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	in, err := wire.DecodeComment(body)
	if err != nil {
		return err
	}
	_, err = f.Workspaces.Comment(c.Context(), c.workspace.ID, c.params["incident"], c.params["comment"])
	there := err == nil
	one, err := f.Workspaces.AddComment(c.Context(), c.workspace.ID, c.params["incident"], c.params["comment"], in.Text, c.actor())
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if there {
		status = http.StatusOK
	}
	return c.write(status, wire.EncodeComment(c.scope(), c.params["incident"], one))
}

func (f *face) deleteComment(c *call) error {
	err := f.Workspaces.DeleteComment(c.Context(), c.workspace.ID, c.params["incident"], c.params["comment"], c.actor())
	switch {
	case fault.Is(err, fault.NotFound):
		return c.write(http.StatusNoContent, nil)
	case err != nil:
		return err
	}
	return c.write(http.StatusOK, nil)
}
