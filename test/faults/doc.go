// Package faults has the tests of what happens when something goes wrong
// between Terraform and the cluster: the fault matrix, signals and kills, the
// secrets, the roles of examples/rbac, and the soak.
//
// A cell of the matrix is one fault (rows_test.go and what situations_test.go names) at one
// request of one operation of one subject (subjects_test.go). It runs through
// the real provider over the plugin protocol (package core), through a proxy
// that makes the fault (package proxy), against a real API server with istiod's
// webhooks. Afterwards one function (settle_test.go) looks at what must hold
// whatever the fault was.
//
//	go test ./test/faults                            # a slice that touches each row
//	make faults                                      # all cells, and RESULTS.md
//	make faults ROWS='terminating|gone'              # the rows that match
//	make faults PARTS=/tmp/parts                     # goes on with what has not passed there
//	make soak MINUTES=30
package faults
