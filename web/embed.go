// Package web carries the built pages in the program: what `make web` put
// under dist, each file as it is or compressed with a .gz behind its name.
// Without a build it is empty and still compiles. It leaves serving to portal.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Dist gives the built files, index.html at the top.
func Dist() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // only for an invalid path, and this one is a constant
	}
	return files
}
