// The cluster's DNS server: CoreDNS with the few plugins its Corefile names, because the stock binary
// links the SDKs of every cloud and takes ten times as long to build.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/ready"

	"github.com/coredns/coredns/coremain"
)

// Directives set the order in which plugins see a query; a plugin that is not listed never runs.
func init() {
	dnsserver.Directives = []string{"bind", "ready", "errors", "loadbalance", "cache", "kubernetes", "forward"}
}

func main() { coremain.Run() }
