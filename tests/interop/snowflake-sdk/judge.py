"""What Snowflake's streaming SDK makes of a service. `judge.py VERDICT < CASE`: the case is JSON with the client's `properties` and
the names of database, schema, table and pipe; the verdict is a JSON file (the SDK writes its log to both outputs). A step that fails
ends it with a traceback."""

import json
import sys
import time

from snowflake.ingest.streaming import StreamingIngestClient, StreamingIngestError

ROWS = 10_000
AT_A_TIME = 500
PATIENCE_S = 120


class Judge:
    def __init__(self, case):
        self.case = case
        self.clients = 0

    def client(self):
        self.clients += 1
        return StreamingIngestClient(
            client_name=f"judge-{self.clients}",
            db_name=self.case["database"],
            schema_name=self.case["schema"],
            pipe_name=self.case["pipe"],
            properties=self.case["properties"],
        )

    def append(self, channel, first, last):
        for start in range(first, last + 1, AT_A_TIME):
            end = min(start + AT_A_TIME - 1, last)
            rows = [{"uuid": f"{channel.channel_name}-{i}", "seq": i} for i in range(start, end + 1)]
            channel.append_rows(rows, str(start), str(end))

    def commit(self, channel, last):
        channel.wait_for_commit(lambda token: token is not None and int(token) >= last, timeout_seconds=PATIENCE_S)
        return spoken(channel.get_channel_status())

    def all_rows(self):
        """Opens a channel nobody has used, and sends many rows."""
        client = self.client()
        channel, opened = client.open_channel("sdk-rows")
        self.append(channel, 1, ROWS)
        status = self.commit(channel, ROWS)
        channel.close()
        client.close()
        return {"opened": spoken(opened), "status": status}

    def recovery(self):
        """Another process goes on where the first one ended."""
        client = self.client()
        channel, opened = client.open_channel("sdk-rows")
        committed = int(opened.latest_committed_offset_token)
        self.append(channel, committed + 1, committed + 100)
        status = self.commit(channel, committed + 100)
        client.close()
        return {"opened": spoken(opened), "status": status}

    def take_over(self):
        """A second client takes the channel of one that still has it."""
        first, second = self.client(), self.client()
        loser, _ = first.open_channel("sdk-taken")
        self.append(loser, 1, 10)
        self.commit(loser, 10)
        winner, opened = second.open_channel("sdk-taken")
        error = failure(lambda: self.append(loser, 11, 11))
        self.append(winner, 11, 20)
        status = self.commit(winner, 20)
        first.close(wait_for_flush=False, timeout_seconds=5)
        second.close()
        return {"opened": spoken(opened), "error": error, "status": status}

    def bad_rows(self):
        client = self.client()
        channel, _ = client.open_channel("sdk-bad")
        channel.append_row({"uuid": "sdk-bad-1", "seq": 1}, "1")
        channel.append_row({"uuid": "sdk-bad-2", "seq": "not a number"}, "2")
        channel.append_row({"uuid": "sdk-bad-3", "seq": 3}, "3")
        status = self.commit(channel, 3)
        client.close()
        return {"status": status}

    def drop(self):
        client = self.client()
        client.drop_channel("sdk-rows")
        _, opened = client.open_channel("sdk-rows")
        client.close()
        return {"opened": spoken(opened)}

    def elastic(self):
        """Elastic appends to the pipe, and to the table's own; nothing where the SDK has none."""
        if not hasattr(StreamingIngestClient, "from_table"):
            return None
        by_pipe = self.client()
        by_table = StreamingIngestClient.from_table(
            client_name="judge-table",
            db_name=self.case["database"],
            schema_name=self.case["schema"],
            table_name=self.case["table"],
            properties=self.case["properties"],
        )
        told = []
        for name, client in (("pipe", by_pipe), ("table", by_table)):
            channel = client.get_elastic_channel()
            channel.set_error_handler(lambda detail: told.append(repr(detail)))
            rows = [{"uuid": f"sdk-elastic-{name}-{i}", "seq": i} for i in range(100)]
            channel.append_rows_with_wait([*rows, {"uuid": f"sdk-elastic-{name}-bad", "seq": "x"}], name).result(PATIENCE_S)
        reserved = failure(lambda: by_pipe.open_channel("ELASTIC"))
        by_pipe.close()
        by_table.close()
        return {"told": told, "reserved": reserved}


def failure(act):
    """The code of the SDK's error; it may come some time after the call that earned it."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            act()
        except StreamingIngestError as error:
            return error.error_code.value
        time.sleep(0.5)
    return None


def spoken(status):
    error_at = status.last_error_timestamp
    return {
        "code": status.status_code,
        "committed": status.latest_committed_offset_token,
        "inserted": status.rows_inserted_count,
        "parsed": status.rows_parsed_count,
        "errors": status.rows_error_count,
        "error": status.last_error_message,
        "error_up_to": status.last_error_offset_token_upper_bound,
        "error_at": error_at.timestamp() if error_at else None,
    }


def main():
    judge = Judge(json.load(sys.stdin))
    steps = [judge.all_rows, judge.recovery, judge.take_over, judge.bad_rows, judge.drop, judge.elastic]
    verdict = {step.__name__: step() for step in steps}
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(verdict, file)


main()
