#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients made of Debian's Python libraries, each as its documentation begins, with the settings it comes with.

clients.py NAME HOST PORT

Ends with what went wrong and status 1, or prints "done" and exits with 0.
"""

import asyncio
import sys


def http_client(host, port):
    import http.client
    connection = http.client.HTTPConnection(host, port)
    connection.request("GET", "/")
    connection.getresponse().read()


def urllib_request(host, port):
    import urllib.request
    urllib.request.urlopen(f"http://{host}:{port}/").read()


def requests(host, port):
    import requests
    requests.get(f"http://{host}:{port}/")


def requests_retry(host, port):
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=Retry(total=5, backoff_factor=1)))
    session.get(f"http://{host}:{port}/")


def urllib3(host, port):
    import urllib3
    urllib3.PoolManager().request("GET", f"http://{host}:{port}/")


def httpx(host, port):
    import httpx
    httpx.get(f"http://{host}:{port}/")


def httpx_retries(host, port):
    import httpx
    httpx.Client(transport=httpx.HTTPTransport(retries=3)).get(f"http://{host}:{port}/")


def aiohttp(host, port):
    import aiohttp

    async def get():
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://{host}:{port}/") as response:
                await response.read()
    asyncio.run(get())


def tornado(host, port):
    from tornado.httpclient import AsyncHTTPClient

    async def get():
        await AsyncHTTPClient().fetch(f"http://{host}:{port}/")
    asyncio.run(get())


def pycurl(host, port):
    import pycurl
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, f"http://{host}:{port}/")
    curl.perform()


def websocket(host, port):
    import websocket
    websocket.create_connection(f"ws://{host}:{port}/")


def websockets(host, port):
    import websockets

    async def connect():
        await websockets.connect(f"ws://{host}:{port}/")
    asyncio.run(connect())


def redis(host, port):
    import redis
    redis.Redis(host=host, port=port).ping()


def pymemcache(host, port):
    from pymemcache.client.base import Client
    Client((host, port)).get("key")


def psycopg2(host, port):
    import psycopg2
    psycopg2.connect(host=host, port=port, user="u", dbname="d")


def psycopg(host, port):
    import psycopg
    psycopg.connect(host=host, port=port, user="u", dbname="d")


def asyncpg(host, port):
    import asyncpg
    asyncio.run(asyncpg.connect(host=host, port=port, user="u", database="d"))


def pymysql(host, port):
    import pymysql
    pymysql.connect(host=host, port=port, user="u")


def pymongo(host, port):
    import pymongo
    pymongo.MongoClient(host, port).admin.command("ping")


def elasticsearch(host, port):
    from elasticsearch import Elasticsearch
    Elasticsearch(f"http://{host}:{port}").info()


def influxdb(host, port):
    from influxdb import InfluxDBClient
    InfluxDBClient(host, port).ping()


def kazoo(host, port):
    from kazoo.client import KazooClient
    KazooClient(hosts=f"{host}:{port}").start()


def pika(host, port):
    import pika
    pika.BlockingConnection(pika.ConnectionParameters(host, port))


def kombu(host, port):
    import kombu
    kombu.Connection(f"amqp://{host}:{port}//").ensure_connection()


def kafka(host, port):
    from kafka import KafkaProducer
    KafkaProducer(bootstrap_servers=f"{host}:{port}")


def paho(host, port):
    import paho.mqtt.client as mqtt
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.connect_async(host, port)
    client.loop_forever(retry_first_connection=True)


def stomp(host, port):
    import stomp
    stomp.Connection([(host, port)]).connect("u", "p", wait=True)


def zmq(host, port):
    import zmq
    socket = zmq.Context().socket(zmq.REQ)
    socket.connect(f"tcp://{host}:{port}")
    socket.send(b"hello")
    socket.recv()


def grpc(host, port):
    import grpc
    channel = grpc.insecure_channel(f"{host}:{port}")
    channel.unary_unary("/s/m")(b"", wait_for_ready=True)


def smtplib(host, port):
    import smtplib
    smtplib.SMTP(host, port)


def aiosmtplib(host, port):
    import aiosmtplib

    async def connect():
        await aiosmtplib.SMTP(hostname=host, port=port, use_tls=False).connect()
    asyncio.run(connect())


def ldap3(host, port):
    import ldap3
    ldap3.Connection(ldap3.Server(host, port)).bind()


def paramiko(host, port):
    import paramiko
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect(host, port, "u", "p", allow_agent=False, look_for_keys=False)


def boto3(host, port):
    import boto3
    boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1", aws_access_key_id="a",
                 aws_secret_access_key="b").list_buckets()


def swiftclient(host, port):
    import swiftclient
    swiftclient.Connection(preauthurl=f"http://{host}:{port}/v1/a", preauthtoken="t").get_account()


def docker(host, port):
    import docker
    docker.DockerClient(f"tcp://{host}:{port}", version="1.41").ping()


def kubernetes(host, port):
    from kubernetes import client
    configuration = client.Configuration(host=f"http://{host}:{port}")
    client.CoreV1Api(client.ApiClient(configuration)).list_namespace()


CLIENTS = {name.replace("_", "-"): function for name, function in globals().items()
           if callable(function) and getattr(function, "__module__", "") == __name__}


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in CLIENTS:
        print(f"{__doc__}\nNAME is one of: {' '.join(CLIENTS)}", file=sys.stderr)
        sys.exit(64)
    name, host, port = sys.argv[1:]
    run = CLIENTS[name]
    # The library of this name, not the function.
    try:
        run(host, int(port))
    except Exception as error:  # libraries raise what they like; it is what the client says
        sys.exit(f"{type(error).__name__}: {error}")
    print("done")


if __name__ == "__main__":
    main()
