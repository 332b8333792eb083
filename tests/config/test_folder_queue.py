"""The folder broker: every message once and whole, with several readers and writers at a time."""

import threading

from kombu import Connection

from config.folder_queue import Channel  # importing registers folder://


def connection(folder):
    # kombu remembers bindings per process, so each test's folder needs queue names of its own
    options = {"data_folder_in": str(folder), "data_folder_out": str(folder), "control_folder": str(folder / "control")}
    return Connection("folder://localhost/", transport_options=options)


def take_all(queue, into):
    while True:
        try:
            message = queue.get_nowait()
        except queue.Empty:
            return
        message.ack()
        into.append(message.payload)


def test_what_four_readers_take_from_two_writers_is_everything_once(tmp_path):
    taken, stop = [], threading.Event()

    def write(writer):
        with connection(tmp_path) as link:
            queue = link.SimpleQueue("work")
            for number in range(150):
                queue.put(f"{writer}-{number}")

    def read():
        with connection(tmp_path) as link:
            queue = link.SimpleQueue("work")
            while not stop.is_set():
                take_all(queue, taken)
            take_all(queue, taken)

    readers = [threading.Thread(target=read) for _ in range(4)]
    writers = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for thread in readers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in readers:
        thread.join()

    assert sorted(taken) == sorted(f"{name}-{number}" for name in "ab" for number in range(150))
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


def test_a_thread_waits_for_the_binding_that_another_is_writing(tmp_path, monkeypatch):
    write_binding, begun = Channel._queue_bind, threading.Event()

    def slowly(channel, *args):
        begun.set()
        threading.Event().wait(0.2)
        write_binding(channel, *args)

    monkeypatch.setattr(Channel, "_queue_bind", slowly)

    def put(word):
        with connection(tmp_path) as link:
            link.SimpleQueue("slow").put(word)

    first = threading.Thread(target=put, args=("first",))
    first.start()
    begun.wait(5)
    put("second")
    first.join()
    taken = []
    with connection(tmp_path) as link:
        take_all(link.SimpleQueue("slow"), taken)

    assert sorted(taken) == ["first", "second"]


def test_an_unreadable_message_is_dropped_and_the_next_is_read(tmp_path):
    with connection(tmp_path) as link:
        queue = link.SimpleQueue("halves")
        (tmp_path / "000_half.halves.msg").write_text('{"body": ')
        queue.put("good")

        taken = []
        take_all(queue, taken)

    assert taken == ["good"]
    assert not list(tmp_path.glob("*.msg*"))


def test_messages_of_another_queue_stay(tmp_path):
    with connection(tmp_path) as link:
        link.SimpleQueue("other.third").put(1)
        taken = []
        take_all(link.SimpleQueue("third"), taken)

    assert taken == []
    assert len(list(tmp_path.glob("*.msg"))) == 1
