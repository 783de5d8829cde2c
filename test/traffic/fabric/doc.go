// Package fabric is the network of the lab: namespaces of the kernel instead of
// machines, and a bridge between them that leads nowhere else.
//
// Enter starts the running executable once more, as the first process of new
// network, process and mount namespaces. There is one interface, the bridge, and no
// route out of it: no packet can leave the machine. When that process ends, however
// it ends, the kernel ends all others in there and takes interfaces, rules and
// mounts back: nothing is left to clean up after a crash.
//
// Machine adds a further network namespace with a cable to the bridge.
package fabric
