package demo

import "context"

// Selectors of the pods that appear in calls.
const (
	sleepA  = "app=sleep-a"
	sleepB  = "app=sleep-b"
	gateway = "istio=egressgateway-a"
)

// What the workloads call. The first three are those of main.tf.
const (
	web        = "http://httpbin.org"
	secureWeb  = "https://httpbin.org"
	database   = "tcp://db.partner.example:5432"
	undeclared = "http://other.example"
)

// connection is in every text about a connection that was ended.
const connection = "connection"

// asGranted is what the policy makes of calls to its hosts: they work for sleep-a,
// through the gateway, and for nobody else.
var asGranted = []call{
	{sleepA, web, secured(200, gateway)},
	{sleepB, web, refused(503, "no healthy upstream")},
	{sleepA, secureWeb, secured(200, gateway)},
	{sleepB, secureWeb, refused(0, connection)},
	{sleepA, database, answered(0, gateway)},
	{sleepB, database, refused(0, connection)},
}

// anythingGoes is what becomes of calls in an open mesh without policies.
var anythingGoes = []call{
	{sleepA, web, answered(301, sleepA)},
	{sleepB, web, answered(301, sleepB)},
	{sleepB, database, answered(0, sleepB)},
	{sleepB, undeclared, answered(301, sleepB)},
}

// before shows an open mesh.
func (s *stage) before(ctx context.Context) error {
	return s.calls(ctx, "Before: anybody gets out anywhere, without a gateway.", anythingGoes...)
}

// granted shows what the policy grants, and to whom.
func (s *stage) granted(ctx context.Context) error {
	if s.traffic == nil {
		return nil
	}
	first := len(s.made)
	if err := s.calls(ctx, "Who gets out now: sleep-a, through the gateway, and over TLS where it speaks plain HTTP itself. Nobody else.", asGranted...); err != nil {
		return err
	}
	say(s.out, "The gateway's access log has a line about each call: here the first one, with the caller and the name of its grant.")
	return s.accessLog(ctx, s.made[first])
}

// broken shows what the hand edits do.
func (s *stage) broken(ctx context.Context) error {
	return s.calls(ctx, "sleep-a has lost HTTP to httpbin.org, and the database. The rest goes on, and sleep-b has gained nothing.",
		call{sleepA, web, refused(503, "")},
		call{sleepA, secureWeb, secured(200, gateway)},
		call{sleepA, database, refused(0, connection)},
		call{sleepB, web, refused(503, "")},
	)
}

// repaired shows that calls go as before the hand edits.
func (s *stage) repaired(ctx context.Context) error {
	return s.calls(ctx, "Calls go as granted again.", asGranted...)
}

// after shows an open mesh once more.
func (s *stage) after(ctx context.Context) error {
	return s.calls(ctx, "And calls go as they went at the start.", anythingGoes...)
}
