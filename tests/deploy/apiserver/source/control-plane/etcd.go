package main

import (
	"net/url"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/embed"
)

// newEtcd is a store of one member that never waits for the disk: it is killed when the tests are over.
func newEtcd() *cobra.Command {
	return &cobra.Command{
		Use:  "etcd DIRECTORY URL",
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, words []string) error { return serve(words[0], words[1]) },
	}
}

func serve(directory, address string) error {
	listen, err := url.Parse(address)
	if err != nil {
		return err
	}
	config := embed.NewConfig()
	config.Dir, config.LogLevel, config.UnsafeNoFsync = directory, "warn", true
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{*listen}, []url.URL{*listen}
	config.ListenPeerUrls = []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}} // who has no peers is asked by none
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return err
	}
	return <-etcd.Err()
}
