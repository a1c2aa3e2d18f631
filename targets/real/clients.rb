#!/usr/bin/env ruby
# SPDX-License-Identifier: GPL-2.0-or-later
# Clients made of Ruby's libraries with the settings they come with: clients.rb NAME HOST PORT

name, host, port = ARGV
clients = {
  'net-http' => lambda {
    require 'net/http'
    Net::HTTP.get(host, '/', port.to_i)
  },
  'faraday' => lambda {
    require 'faraday'
    Faraday.get("http://#{host}:#{port}/")
  },
  'redis' => lambda {
    require 'redis'
    Redis.new(host: host, port: port.to_i).ping
  },
  'pg' => lambda {
    require 'pg'
    PG.connect(host: host, port: port, user: 'u', dbname: 'd')
  }
}
abort "clients.rb NAME HOST PORT; NAME is one of: #{clients.keys.join(' ')}" unless clients.key?(name)
begin
  clients[name].call
  puts 'done'
rescue StandardError => e
  abort "#{e.class}: #{e.message}"
end
