class Admin::Reports::DailyController < ActionController::Base
  def show; end
end
