// Package outside is the world beyond the mesh: one machine with the addresses of
// all external hosts, and the name server that knows them.
//
// On port 80 every host answers 301 to its HTTPS address, on 443 it answers 200
// with a certificate for whatever name was asked, on TCPPorts it answers a line
// with a line. Each answer is an Echo: the peer's address, the Host header and
// the SNI as they arrived. The servers remember what has reached them, so that a
// test knows that a call got nowhere and not only that no answer came back.
package outside
