"""Answer in JSON with what a model writes: uvicorn server:app.

A text that takes longer than SECONDS ends there, and is said to be incomplete.
"""

import time
from typing import Optional

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

from charrnn import open_model

SECONDS = 10
model = open_model("mine.npz")
app = FastAPI()


class Request(BaseModel):
    prime: str = Field("\n", min_length=1, max_length=1000)
    length: int = Field(400, ge=1, le=5000)
    temperature: float = Field(0.7, ge=0, le=2)
    seed: Optional[int] = Field(None, ge=0, lt=2**32)


@app.post("/write")
def write(request: Request):
    end = time.monotonic() + SECONDS
    text = ""
    try:
        characters = model.stream(
            request.prime,
            request.length,
            temperature=request.temperature,
            seed=request.seed,
            unknown="nearest",
        )
        for character in characters:
            text += character
            if time.monotonic() > end:
                return {"text": text, "complete": False}
    except ValueError as error:
        raise HTTPException(422, str(error))
    return {"text": text, "complete": True}
