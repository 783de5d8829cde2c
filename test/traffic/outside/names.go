package outside

import (
	"net"
	"strings"

	"github.com/miekg/dns"
)

// ServeNames answers DNS on host, port 53: external hosts, and what cluster says
// of the names of Services (without a final dot; "" for none).
func ServeNames(host string, cluster func(name string) string) error {
	socket, err := net.ListenPacket("udp", net.JoinHostPort(host, "53"))
	if err != nil {
		return err
	}
	stream, err := net.Listen("tcp", net.JoinHostPort(host, "53"))
	if err != nil {
		return err
	}
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, question *dns.Msg) {
		answer := new(dns.Msg).SetReply(question)
		for _, q := range question.Question {
			name := strings.ToLower(strings.TrimSuffix(q.Name, "."))
			address := Address(name)
			if address == "" {
				address = cluster(name)
			}
			if address == "" {
				answer.Rcode = dns.RcodeNameError
				continue
			}
			if q.Qtype == dns.TypeA {
				answer.Answer = append(answer.Answer, &dns.A{
					Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 5},
					A:   net.ParseIP(address),
				})
			}
		}
		_ = w.WriteMsg(answer)
	})
	go func() { _ = (&dns.Server{PacketConn: socket, Handler: handler}).ActivateAndServe() }()
	go func() { _ = (&dns.Server{Listener: stream, Handler: handler}).ActivateAndServe() }()
	return nil
}
