#!/usr/bin/env perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Clients made of Perl's libraries with the settings they come with: clients.pl NAME HOST PORT
use strict;
use warnings;

my ($name, $host, $port) = @ARGV;
my %clients = (
    'lwp' => sub {
        require LWP::UserAgent;
        my $response = LWP::UserAgent->new->get("http://$host:$port/");
        die $response->status_line . "\n" unless $response->is_success;
    },
    'http-tiny' => sub {
        require HTTP::Tiny;
        my $response = HTTP::Tiny->new->get("http://$host:$port/");
        die "$response->{status} $response->{content}\n" unless $response->{success};
    },
    'mojo' => sub {
        require Mojo::UserAgent;
        Mojo::UserAgent->new->get("http://$host:$port/")->result->body;
    },
    'redis' => sub {
        require Redis;
        Redis->new(server => "$host:$port")->ping;
    },
);
die "clients.pl NAME HOST PORT; NAME is one of: @{[sort keys %clients]}\n" unless $name && $clients{$name};
$clients{$name}->();
print "done\n";
