class Admin::DashboardController < ActionController::Base
  def index; end
end
