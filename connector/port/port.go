// Package port knows what the connector asks of a side: to tell what changed,
// to show an incident, to take a write once. The in-process sides satisfy it,
// and so does cloud/microsoft for a remote one. It leaves to connector what is
// done with the answers, and knows neither side's types.
package port

import (
	"context"

	"lockstep/schema"
	"lockstep/security"
)

// End is one side as the connector sees it: the XDR, or one workspace.
type End interface {
	// Capabilities says what this end can do; a remote one can do less.
	Capabilities() Capabilities
	// Changes gives up to limit hints after a position of the end's change
	// feed, oldest first. Hints say where to look, never what is there.
	Changes(ctx context.Context, after int64, limit int) ([]Hint, error)
	// IDs gives the ids of all incidents that take part in the
	// synchronisation, in pages: those greater than after, in order.
	IDs(ctx context.Context, after string, limit int) ([]string, error)
	// Incident gives an incident's present state. fault.NotFound if there is none.
	Incident(ctx context.Context, id string) (Incident, error)
	// Apply makes one write, all of it or nothing, and stores the write's id
	// with the version made, in one transaction. A write whose id was applied
	// before changes nothing and gives the version that it made then.
	// fault.Conflict if IfVersion is not the present version.
	Apply(ctx context.Context, w Write) (Applied, error)
	// Applied tells what became of a write: ok is false if it was never applied.
	Applied(ctx context.Context, writeID string) (a Applied, ok bool, err error)
}

// Capabilities of an end. All are true in process, and there is no limit.
type Capabilities struct {
	Conditional  bool // honours IfVersion
	Feed         bool // Changes is complete and ordered by commit
	FieldTimes   bool // Stamps are filled
	CommentIDs   bool // comments keep the ids given
	CreateAlerts bool // takes alerts
	WriteIDs     bool // Applied answers

	PerMinute int // requests that it takes; 0: any number

	Where     string       // address of a remote end; "" in process
	PollEvery schema.Ticks // how often Changes must be asked, since nobody tells when there are any; 0: somebody does
}

// Hint says that an incident changed. Incident is "" if the feed's entry
// concerns no incident that takes part: then only the position counts.
type Hint struct {
	Seq      int64 // position in the feed
	Incident string
	Version  int64
	At       schema.Ticks
}

// Field names a value that is synchronised on its own.
type Field string

// The fields that travel both ways. Status and closing reason are one value.
const (
	FieldResolution Field = "resolution"
	FieldOwner      Field = "owner"
	FieldSeverity   Field = "severity"
	FieldTags       Field = "tags"
	FieldComments   Field = "comments"
)

// Stamp says who set a field last, and when: the time of receipt, or an
// earlier one that the editor stated.
type Stamp struct {
	Actor security.Actor `json:"actor"`
	At    schema.Ticks   `json:"at"`
}

// Resolution is status and closing reason together, in the side's own words:
// XDR: active inProgress awaitingAction resolved redirected, classification,
// determination; workspace: New Active Closed, classification, reason. Unset
// parts are "".
type Resolution struct {
	Status         string `json:"status"`
	Classification string `json:"classification"`
	Reason         string `json:"reason"` // determination, or classification reason
	Comment        string `json:"comment"`
}

// Incident is an incident as the connector sees it, of either side.
type Incident struct {
	ID      string
	Version int64
	// Partner is the id of the parallel incident, if this side knows it:
	// a workspace incident's provider incident id.
	Partner string

	Resolution     Resolution
	Owner          security.Owner
	Severity       security.Severity
	SeverityByHand bool
	Tags           []string // custom tags, labels; without system ones
	Comments       []security.Comment
	Stamps         map[Field]Stamp

	Content Content
}

// Content is what the XDR owns of an incident and the workspace mirrors.
type Content struct {
	Title         string            `json:"title"`
	Description   string            `json:"description"`
	Severity      security.Severity `json:"severity"` // as computed or set on the XDR
	URL           string            `json:"url"`      // the XDR's page
	Created       schema.Ticks      `json:"created"`
	Updated       schema.Ticks      `json:"updated"`
	FirstActivity schema.Ticks      `json:"firstActivity"`
	LastActivity  schema.Ticks      `json:"lastActivity"`
	Products      []string          `json:"products"` // legacy product names
	Tactics       []string          `json:"tactics"`
	Techniques    []string          `json:"techniques"`
	SystemTags    []string          `json:"systemTags"`
	Alerts        []security.Alert  `json:"alerts"`             // all of them, by id; without a cap
	Redirect      string            `json:"redirect,omitempty"` // id, on the XDR, of the incident it was merged into
	RedirectURL   string            `json:"redirectUrl,omitempty"`
	LastModifier  security.Actor    `json:"lastModifier"`
}

// Write is one change to one incident, made once however often it is sent.
type Write struct {
	ID        string         // WriteID, unique
	Incident  string         // id on the side written to; with Create, the id to make
	Create    bool           // make the incident; no error if it exists: then it is updated
	Partner   string         // with Create: the other side's id
	IfVersion int64          // 0: whatever the version
	Actor     security.Actor // on whose behalf
	At        schema.Ticks   // when the value was set on the other side
	// Stamps say it per field, where fields of one write were set by several
	// actors. A field that isn't there was set by Actor at At.
	Stamps map[Field]Stamp
	// Notes are sentences for the activity log of the incident written to: a
	// value of this side that lost a conflict, with who had set it.
	Notes []string

	Resolution  *Resolution     // the whole value: its unset parts become unset
	Owner       *security.Owner // the zero Owner unassigns
	Severity    *security.Severity
	AddTags     []string
	RemoveTags  []string
	AddComments []security.Comment
	Content     *Content // to the workspace alone
}

// Stamp gives who set a field and when.
func (w Write) Stamp(f Field) Stamp {
	if st, ok := w.Stamps[f]; ok {
		return st
	}
	return Stamp{Actor: w.Actor, At: w.At}
}

// Applied says which version a write made.
type Applied struct {
	WriteID  string
	Incident string
	Version  int64
	At       schema.Ticks
}
