import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/parts.css';
import './styles/overview.css';
import './styles/ring.css';
import './styles/keys.css';
import './styles/charts.css';
import { render } from 'preact';
import { followCluster } from './api/cluster.ts';
import { App } from './app.tsx';
import { followTheme } from './parts/theme.tsx';

followTheme();
followCluster();
render(<App />, document.getElementById('app') as HTMLElement);
