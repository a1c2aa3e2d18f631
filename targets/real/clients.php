#!/usr/bin/env php
<?php // SPDX-License-Identifier: GPL-2.0-or-later
// Clients made of PHP's own functions with the settings they come with: clients.php NAME HOST PORT
[, $name, $host, $port] = $argv + [null, null, null, null];
$clients = [
    'file-get-contents' => fn () => file_get_contents("http://$host:$port/"),
    'curl' => function () use ($host, $port) {
        $curl = curl_init("http://$host:$port/");
        curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
        $body = curl_exec($curl);
        if ($body === false) {
            fwrite(STDERR, curl_error($curl) . "\n");
        }
        return $body;
    },
    'fsockopen' => fn () => fsockopen($host, (int) $port),
];
if (!isset($clients[$name])) {
    fwrite(STDERR, 'clients.php NAME HOST PORT; NAME is one of: ' . implode(' ', array_keys($clients)) . "\n");
    exit(64);
}
if ($clients[$name]() === false) {
    exit(1);
}
echo "done\n";
