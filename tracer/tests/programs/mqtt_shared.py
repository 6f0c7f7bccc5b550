"""paho-mqtt: a connection to an MQTT server crosses a fork.

`disconnects PORT`: the child disconnects the client that it inherited, and the parent goes on using it.
`own PORT`: healthy: the child has a client of its own, and disconnects that.
"""

import os
import sys

import paho.mqtt.client as mqtt

from saying import end_of, say, within

SECONDS = 5
MODE, PORT = sys.argv[1], int(sys.argv[2])


def connect(name):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name)
    client.connect("127.0.0.1", PORT)
    while not client.is_connected():
        client.loop(0.1)
    return client


def publish(client):
    """Publishes, and waits until the server has it, or the connection is lost."""
    message = client.publish("a/topic", b"hello", qos=1)
    while not message.is_published():
        error = client.loop(0.1)
        if error != mqtt.MQTT_ERR_SUCCESS:
            return mqtt.error_string(error)
    return "published"


def main():
    client = connect("parent")
    say(role="parent", fd=client.socket().fileno(), first=publish(client))
    child = os.fork()
    if child == 0:
        if MODE == "own":
            client = connect("child")
            say(role="child", done=publish(client))
        client.disconnect()
        client.loop(0.1)
        os._exit(0)
    say(role="parent", child=child, child_exit=end_of(child))
    say(role="parent", second=within(SECONDS, lambda: publish(client)))
    os._exit(0)


main()
