import "./style/theme.css";
import "./style/page.css";
import "./style/lists.css";
import "./style/alert-page.css";
import "./style/office.css";
import "./style/bridges.css";
import "./style/wall.css";
import "./style/incidents.css";
import "./style/field.css";
import { render } from "preact";
import { App } from "./app";

const page = document.getElementById("page");
if (page) render(<App />, page);
