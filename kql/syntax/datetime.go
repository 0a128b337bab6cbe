package syntax

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"lockstep/schema"
)

// dateLayouts are the forms of a datetime that KQL reads beside those of
// schema.ParseTicks. Source: Kusto, the datetime data type: supported formats.
var dateLayouts = []string{
	"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999 Z07:00", "2006-1-2", "2006-01", "2006", "20060102",
	"2006-1-2 15:04:05.999999999", "2006-1-2 15:4:5", "2006-01-02T15", "2006-1-2 15:04", "1/2/2006", "1-2-2006", "1-2-2006 15:04:05", "1/2/2006 15:04:05.999999999", "1/2/2006 15:04", "1/2/2006 3:04:05 PM", "1/2/2006 3:04 PM",
	"2006/1/2", "2006/1/2 15:04:05.999999999", "2006/1/2 15:04", "2006.01.02", "2006.01.02 15:04:05",
	"Mon, 02 Jan 2006 15:04:05 MST", "Mon, 02 Jan 2006 15:04:05 -0700", "Mon, 2 Jan 06 15:04:05 MST", "Mon, 2 Jan 06 15:04:05", "2 Jan 06 15:04:05", "2 Jan 2006 15:04:05", "02 Jan 2006", "2 January 2006", "January 2, 2006", "Jan 2, 2006", "Jan 2 2006", "Jan 2, 2006 15:04:05",
	"Monday, 02-Jan-06 15:04:05 MST", "Mon Jan _2 15:04:05 2006", "Monday, January 2, 2006", "Jan 2 2006 15:04:05", "2006-01-02T15:04:05.999999999-0700", "2006-01-02 15:04:05.999999999 -0700", "2006-01-02T15:04:05 PM", "1/2/2006 3:04:05.999999999 PM",
}

// ParseDateTime reads a datetime as KQL does in literals and todatetime.
func ParseDateTime(text string) (schema.Ticks, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, fmt.Errorf("an empty text is not a datetime")
	}
	if t, err := schema.ParseTicks(text); err == nil {
		return t, nil
	}
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, text); err == nil && t.UTC().Year() >= 1 && t.UTC().Year() <= 9999 {
			return schema.At(t.UTC()), nil
		}
	}
	if joined := strings.ReplaceAll(text, " - ", "-"); joined != text { // datetime(2017 - 08 - 01)
		return ParseDateTime(joined)
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && f > 9999 { // OLE or ticks are not read
		return 0, fmt.Errorf("%q is not a datetime", text)
	}
	return 0, fmt.Errorf("%q is not a datetime", text)
}
