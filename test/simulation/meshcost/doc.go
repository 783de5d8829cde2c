// Package meshcost measures what istiod makes of N policies, for each proxy that may
// have to hold it, beside the objects that the same egress takes by hand.
//
// Everything but the time is exact, and the same on each machine: istiod's own
// generators run in process (package judge).
package meshcost
