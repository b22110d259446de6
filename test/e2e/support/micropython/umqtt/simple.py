"""Stands in for MicroPython's umqtt.simple where there is no MicroPython: as much of its API as
docs/devices/micropython.md uses, over the sockets of CPython. MQTT 3.1.1, one PUBLISH at a time."""

import socket
import struct


class MQTTException(Exception):
    pass


class MQTTClient:
    def __init__(self, client_id, server, port=0, user=None, password=None, keepalive=0, ssl=None):
        self.client_id = client_id
        self.address = (server, port or 1883)
        self.keepalive = keepalive
        self.will = None
        self.packet_id = 0
        self.sock = None

    def set_last_will(self, topic, msg, retain=False, qos=0):
        self.will = (topic, msg, 0x04 | qos << 3 | retain << 5)

    def connect(self, clean_session=True):
        self.sock = socket.create_connection(self.address)
        flags = clean_session << 1 | (self.will[2] if self.will else 0)
        body = b"\0\4MQTT\4" + struct.pack("!BH", flags, self.keepalive) + text(self.client_id)
        if self.will:
            body += text(self.will[0]) + text(self.will[1])
        self.send(0x10, body)
        kind, answer = self.receive()
        assert kind == 0x20
        if answer[1] != 0:
            raise MQTTException(answer[1])
        return answer[0] & 1

    def publish(self, topic, msg, retain=False, qos=0):
        body = text(topic)
        if qos:
            self.packet_id += 1
            body += struct.pack("!H", self.packet_id)
        self.send(0x30 | qos << 1 | retain, body + encoded(msg))
        if qos == 1:
            while self.receive() != (0x40, struct.pack("!H", self.packet_id)):
                pass

    def disconnect(self):
        self.send(0xE0, b"")
        self.sock.close()

    def send(self, kind, body):
        length = b""
        rest = len(body)
        while True:
            length += bytes([rest & 0x7F | (0x80 if rest > 0x7F else 0)])
            rest >>= 7
            if rest == 0:
                break
        self.sock.sendall(bytes([kind]) + length + body)

    def receive(self):
        """One of the small packets that answer us. Takes the timeout off, as the library does."""
        kind, length = self.read(2)
        self.sock.setblocking(True)
        return kind, self.read(length)

    def read(self, length):
        data = b""
        while len(data) < length:
            chunk = self.sock.recv(length - len(data))
            if chunk == b"":
                raise OSError(-1)
            data += chunk
        return data


def encoded(value):
    return value.encode() if isinstance(value, str) else value


def text(value):
    return struct.pack("!H", len(encoded(value))) + encoded(value)
