// Package proxy is a TLS proxy in front of a real API server that misbehaves
// when it is told to: it answers errors, loses answers, cuts them short, stalls,
// resets connections, or lets something happen just before a request goes on.
//
//	p, err := proxy.Start(upstream)         // a *rest.Config of the API server
//	defer p.Stop()
//	... connect to p.Host, trusting p.CAData, with a token of your own ...
//	p.Arm(proxy.Rule{When: proxy.Writes, Skip: 3, Times: 1, Fault: proxy.Lost(proxy.Reset)})
//	... what is to be tested ...
//	p.Disarm()
//	for _, r := range p.Journal() { ... }    // every request since Arm
//
// The fourth write then happens, and its answer is lost.
//
// A slow network is a Link: p.Shape(proxy.Link{RoundTrip: 50 * time.Millisecond})
// delays what goes over every connection that is opened from then on.
//
// Bearer tokens pass through; client certificates cannot.
package proxy
