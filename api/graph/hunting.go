package graph

import (
	"fmt"
	"net/http"

	"lockstep/access"
	"lockstep/query"
	"lockstep/schema"
	"lockstep/wire/hunting"
)

// hunt answers runHuntingQuery.
func (f *face) hunt(w http.ResponseWriter, r *http.Request) error {
	body, err := read(r)
	if err != nil {
		return err
	}
	request, err := hunting.DecodeRequest(body)
	if err != nil {
		return err
	}
	from, to, err := query.ParseTimespan(request.Timespan, f.Now())
	if err != nil {
		return err
	}
	caller, _ := access.From(r.Context()) // Authorize has refused requests without one
	result, err := f.Queries.Run(r.Context(), query.Query{Text: request.Query, Side: schema.XDR, From: from, To: to, Principal: caller.ID})
	if err != nil {
		return err
	}
	if result.Truncated {
		w.Header().Add("Warning", `199 lockstep "the result isn't complete: a limit of rows or bytes was reached"`)
	}
	if n := len(result.Further); n > 0 { // the published answer has one table
		w.Header().Add("Warning", fmt.Sprintf(`199 lockstep "the query gives %d tables: this is the first"`, n+1))
	}
	w.Header().Set("Content-Type", "application/json; odata.metadata=minimal; charset=utf-8")
	_, err = w.Write(hunting.Answer(f.PublicURL+"/v1.0/$metadata#microsoft.graph.security.huntingQueryResults", result.Rows))
	_ = err // the client is gone
	return nil
}
