package native

import "testing"

// TestPlace: the short way for plain numbers lays out what the long way does.
func TestPlace(t *testing.T) {
	for _, tt := range []struct {
		pairs     string
		n         int64
		otherwise any
	}{
		{"[]", 3, "0"}, {"[[0,5],[2,-7]]", 3, "0"}, {"[[9,5],[-1,4],[1,2.5]]", 2, "0.0"}, {"[[1,null]]", 2, "1"},
		{"[[0,1.0],[0,2.0]]", 1, "null"}, {"[[0,5],[1,6]]", 0, "0"}, {"[[null,3],[1,2]]", 2, "0"}, {`[[0,"a"],[1,[1,2]]]`, 2, "0"},
		{"[[0,12345678901234567890]]", 1, "0"}, {"[[0,1e300]]", 1, "0"}, {"[[0,5]", 1, "0"}, {"[[0,5],]", 1, "0"}, {"", 2, "0"}, {"[[0,1]]", 2, nil},
	} {
		list, _ := array(tt.pairs)
		fill, _ := read(str(tt.otherwise))
		want := make([]any, tt.n)
		for i := range want {
			want[i] = fill
		}
		for _, p := range list {
			pair := p.([]any)
			if i, ok := asInt(pair[0]); ok && i >= 0 && i < tt.n {
				want[i] = pair[1]
			}
		}
		if got := place(tt.pairs, tt.n, tt.otherwise); got != write(want) {
			t.Errorf("place(%s, %d, %v) = %v, want %v", tt.pairs, tt.n, tt.otherwise, got, write(want))
		}
	}
}
