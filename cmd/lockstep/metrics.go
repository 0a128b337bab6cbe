package main

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics is what the server counts of itself, under /metrics.
type metrics struct {
	registry   *prometheus.Registry
	records    *prometheus.CounterVec
	requests   *prometheus.HistogramVec
	maintained atomic.Int64 // when the tables were last kept in order, in ticks
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		records: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lockstep_ingest_records_total", Help: "Records that came in, by kind (alerts, events, rows) and outcome (accepted, repeat, refused).",
		}, []string{"kind", "outcome"}),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "lockstep_request_seconds", Help: "Time to answer, by face and status.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16),
		}, []string{"face", "status"}),
	}
	m.registry.MustRegister(m.records, m.requests, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// counted adds what became of the records of one delivery.
func (m *metrics) counted(kind string, accepted, repeats, refused int) {
	m.records.WithLabelValues(kind, "accepted").Add(float64(accepted))
	m.records.WithLabelValues(kind, "repeat").Add(float64(repeats))
	m.records.WithLabelValues(kind, "refused").Add(float64(refused))
}

// handler serves the figures in the Prometheus text form.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// timed measures a face's answers.
func (m *metrics) timed(face string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, status := time.Now(), &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(status, r)
		m.requests.WithLabelValues(face, strconv.Itoa(status.status)).Observe(time.Since(began).Seconds())
	})
}

// statusWriter remembers the status that was written.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection, for live streams.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
