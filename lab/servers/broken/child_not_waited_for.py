"""child_not_waited_for: terminates the child of each client; nobody waits for it, and it remains as a zombie."""

from subprocess import PIPE, Popen

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan task": "close kill quit away reset pause stall talk garbage flood crowd",
    "no-orphan socket": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
sometimes: dict[str, str] = {"no-orphan connection": "rejoin garbage", "no-orphan task": "rejoin"}
holder = "jobs"

app = FastAPI()
jobs: list[Popen[bytes]] = []


def start() -> Popen[bytes]:
    job = Popen(["cat"], stdin=PIPE)
    jobs.append(job)
    return job


@app.get("/jobs")
def report() -> list[int]:
    return [job.pid for job in jobs if job.returncode is None]


@app.websocket("/ws")
async def convert(websocket: WebSocket) -> None:
    await websocket.accept()
    job = start()
    try:
        while True:
            await websocket.receive_text()
            await websocket.send_json({"pid": job.pid, "jobs": len(jobs)})
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        job.terminate()  # BUG: and job.wait()? And who takes it off the list?
