/** The description of the API to read and to try, from this service alone: it works where nothing else is reached. */
import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";
import { authorization, get, RefusedError } from "../api/client";
import { lookForSession } from "../api/session";

const page = document.getElementById("page") as HTMLElement;

function say(text: string): void {
  const line = document.createElement("p");
  line.textContent = text;
  line.dataset["testid"] = "docs-refused";
  const way = document.createElement("a");
  way.href = "/";
  way.textContent = "登录 · Sign in";
  page.replaceChildren(line, way);
}

async function show(): Promise<void> {
  await lookForSession();
  try {
    const described = await get<object>("openapi.json");
    SwaggerUI({
      spec: described,
      domNode: page,
      deepLinking: false,
      docExpansion: "none",
      filter: true,
      validatorUrl: null,
      requestInterceptor: (request) => Object.assign(request, { headers: { ...request.headers, ...authorization() } }),
    });
  } catch (error) {
    const is = error instanceof RefusedError;
    say(is ? "请先登录后查看接口说明。Sign in to read the API's description." : "服务无法访问。The service cannot be reached.");
  }
}

void show();
