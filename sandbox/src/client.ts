/** One result of an answer. */
export interface Result {
  readonly schema?: readonly {
    readonly name: string;
    readonly data_type: unknown;
    readonly flags?: readonly string[];
  }[];
  readonly rows?: readonly (readonly unknown[])[];
  readonly row_count: number;
  readonly message?: string;
  readonly as_user: string;
}

export interface Said {
  readonly status: number;
  readonly text: string;
  readonly results: readonly Result[];
  readonly code: string | undefined;
  readonly message: string;
}

/** For tests of the sandbox: a logged-in HTTP client. */
export interface Client {
  readonly token: string;
  sql(sql: string, params?: readonly unknown[], namespace?: string): Promise<Said>;
  /** The rows of the first result; throws if the statement is refused. */
  rows(sql: string, params?: readonly unknown[]): Promise<readonly (readonly unknown[])[]>;
}

export async function post(url: string, path: string, body: unknown, token?: string): Promise<Response> {
  const headers = {
    "content-type": "application/json",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  return await fetch(url + path, {
    method: "POST",
    headers,
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

export const logIn = async (url: string, user: string, password: string): Promise<Response> =>
  await post(url, "/v1/api/auth/login", { user, password });

export async function signIn(url: string, user: string, password: string): Promise<Client> {
  const { access_token: token } = (await (await logIn(url, user, password)).json()) as { access_token?: string };
  if (token === undefined) throw new Error(`${user} could not log in`);
  return clientWith(url, token);
}

function clientWith(url: string, token: string): Client {
  const ask = async (sql: string, params?: readonly unknown[], namespace?: string): Promise<Said> => {
    const response = await post(url, "/v1/api/sql", { sql, params, namespace_id: namespace }, token);
    const text = await response.text();
    const body = JSON.parse(text) as { results?: Result[]; error?: { code: string; message: string } | null };
    const { code, message = "" } = body.error ?? {};
    return { status: response.status, text, results: body.results ?? [], code, message };
  };
  return {
    token,
    sql: ask,
    async rows(sql, params) {
      const said = await ask(sql, params);
      if (said.status !== 200) throw new Error(`${sql}: ${said.status} ${said.message}`);
      return said.results[0]?.rows ?? [];
    },
  };
}
