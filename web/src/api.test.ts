import { afterEach, expect, it, vi } from "vitest";
import { ApiError, ask, reasonOf } from "./api";

afterEach(() => vi.unstubAllGlobals());

const refused = (request: Promise<unknown>) =>
  request.then(
    () => expect.fail("it was accepted"),
    (error: ApiError) => error,
  );

const answer = (status: number, body: string) =>
  vi.stubGlobal(
    "fetch",
    vi.fn(async () => new Response(body, { status })),
  );

it("sends what shows that it is our own page that asks", async () => {
  answer(200, "{}");
  await ask("POST", "/x", { a: 1 });
  const [path, request] = vi.mocked(fetch).mock.calls[0] ?? [];
  expect(path).toBe("/portal/api/x");
  expect(request?.headers).toMatchObject({ "X-Lockstep-Portal": "1" });
  expect(request?.credentials).toBe("same-origin");
});

it("tells a refusal in the server's words", async () => {
  answer(409, '{"error":{"code":"conflict","message":"incident 3 is resolved"}}');
  const error = await refused(ask("POST", "/x"));
  expect(error).toBeInstanceOf(ApiError);
  expect([error.status, error.code, reasonOf(error)]).toEqual([409, "conflict", "Incident 3 is resolved"]);
});

it("still says something when the answer isn't ours", async () => {
  answer(502, "<html>Bad gateway");
  expect(reasonOf(await refused(ask("GET", "/x")))).toBe("The server answered 502.");
  vi.stubGlobal("fetch", vi.fn().mockRejectedValue(new TypeError("failed to fetch")));
  expect((await refused(ask("GET", "/x"))).code).toBe("unreachable");
});
