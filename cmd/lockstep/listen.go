package main

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"

	"lockstep/fault"
)

// slashes are doubled in the paths that some clients send, where a mux would
// answer with a redirect that turns a POST into a GET (Source: clients.md 0.3).
var slashes = regexp.MustCompile(`//+`)

// lenient makes requests what the faces expect: single slashes, bodies
// inflated. It bounds what a compressed body may grow to.
func lenient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = slashes.ReplaceAllString(r.URL.Path, "/")
		if r.URL.RawPath != "" {
			r.URL.RawPath = slashes.ReplaceAllString(r.URL.RawPath, "/")
		}
		if strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
			z, err := gzip.NewReader(r.Body)
			if err != nil {
				w.Header().Set("Content-Type", "application/json; charset=utf-8")
				w.WriteHeader(http.StatusBadRequest)
				_, _ = io.WriteString(w, `{"error":{"code":"BadRequest","message":"the body isn't gzip although Content-Encoding says so"}}`+"\n")
				return
			}
			r.Body = struct {
				io.Reader
				io.Closer
			}{io.LimitReader(z, maxInflated), r.Body}
			r.Header.Del("Content-Encoding")
			r.ContentLength = -1
		}
		next.ServeHTTP(w, r)
	})
}

// maxInflated is the most bytes of an inflated body.
const maxInflated = 65 << 20

// httpServer is a server with limits that keep a slow client from holding it.
func httpServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(quiet{log.Handler()}, slog.LevelDebug),
	}
}

// quiet puts what net/http says of single connections at debug level.
type quiet struct{ slog.Handler }

// secure puts TLS on a listener.
func (s *server) secure(l net.Listener) net.Listener {
	config := s.certificate.TLS()
	config.NextProtos = []string{"h2", "http/1.1"}
	return tls.NewListener(l, config)
}

// plainHandler is what is served without TLS: the portal and health alone.
func (s *server) plainHandler() http.Handler {
	mux := http.NewServeMux()
	s.mountHealth(mux)
	mux.Handle("/", s.metrics.timed("portal", s.portal))
	return mux
}

// listenPlain listens on the portal's plain address, on loopback alone; nil if there is none.
func (s *server) listenPlain() (net.Listener, error) {
	if s.settings.PortalListen == "" {
		return nil, nil
	}
	host, _, err := net.SplitHostPort(s.settings.PortalListen)
	if err != nil {
		return nil, fault.At("portal_listen", "%w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fault.At("portal_listen", "%s isn't a loopback address: the portal without TLS is for this machine alone", host)
	}
	l, err := net.Listen("tcp", s.settings.PortalListen)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "listen on %s: %w (--portal-listen names another address, or none)", s.settings.PortalListen, err)
	}
	return l, nil
}

// serveSocket answers the verbs on the socket in the data folder until ctx
// ends; stopped closes when the last request is done.
func (s *server) serveSocket(ctx context.Context) (stopped chan struct{}, err error) {
	path := s.folder.Path(socketName)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("clear the socket of an earlier server: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return serveOn(ctx, httpServer(s.socketHandler(), s.log), l, s.log), nil
}

// grace is how long running requests get to end.
const grace = 3 * time.Second

// serveOn serves on a listener until ctx ends, then lets running requests end.
func serveOn(ctx context.Context, h *http.Server, l net.Listener, log *slog.Logger) chan struct{} {
	stopped := make(chan struct{})
	base, end := context.WithCancel(context.WithoutCancel(ctx))
	h.BaseContext = func(net.Listener) context.Context { return base }
	go func() {
		if err := h.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			log.Error("listener failed", "address", l.Addr().String(), "error", err)
		}
	}()
	go func() {
		defer close(stopped)
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		err := h.Shutdown(last)
		end() // live streams, which end by themselves only when the page is closed
		if err != nil {
			_ = h.Close()
		}
	}()
	return stopped
}
