package microsoft

// Paged has an end ask for pages of n.
func (o Options) Paged(n int) Options { o.pageSize = n; return o }
